"""What the agents of the swarm look for. Plain Python without Ganglion; `agents.py` is where the two meet."""
