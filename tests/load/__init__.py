"""The load of `fnhost bench`, piece by piece."""
