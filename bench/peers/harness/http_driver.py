"""Loads a server over HTTP: http_driver.py --port PORT --path PATH --clients N --seconds S --warm-up S."""

import load

made = load.parser()
made.add_argument("--port", type=int, required=True)
made.add_argument("--path", required=True)
options = made.parse_args()
load.http_load(options, options.port, options.path)
