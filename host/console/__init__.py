"""The console: pages that show the host at work, live, and let people do what their token allows."""
