from ganglion import Worker

worker = Worker()


@worker.agent("greet")
def greet(name: str) -> str:
    return f"Hello {name}"


worker.run()
