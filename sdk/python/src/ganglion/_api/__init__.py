"""The HTTP API, each call written once and without I/O; `Client` and `AsyncClient` both drive it.

`forms` says what a call can look like, one module for each part of the API defines its calls, `table` lists them.
"""
