"""The parts of the code review: what a change is, what each agent looks for, and the report.

Everything here is plain Python without Ganglion; `agents.py` is where the two meet.
"""
