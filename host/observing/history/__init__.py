"""What functions, their instances and the host did of late, kept by the host itself within bounds."""
