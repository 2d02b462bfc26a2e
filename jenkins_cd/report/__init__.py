"""What people see: a terminal, a Jenkins log, a page. Reads the model and nothing else."""
