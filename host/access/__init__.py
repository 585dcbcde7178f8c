"""Who may do what: tokens and their scopes, who a caller is, sign-in, and the record of all changes."""
