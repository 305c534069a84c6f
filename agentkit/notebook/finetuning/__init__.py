"""Fine-tuning in a cell: data sets and jobs as `%finetune` names them, and jobs that are watched while they train."""
