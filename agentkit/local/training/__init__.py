"""Fine-tuning on this machine: jobs, the process that trains, and the models that come of it."""
