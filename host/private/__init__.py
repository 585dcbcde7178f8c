"""Hosts and other processes that live only as long as the command that started them."""
