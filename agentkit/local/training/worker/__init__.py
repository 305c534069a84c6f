"""The process that trains: it checks the files of a job, waits for its turn, trains, and tells the store how far it is.

It is started as `python -m agentkit.local.training.worker <home> <job id>`, and outlives the one that started it. torch
and TRL are imported in it alone, and only once the files are found good.
"""
