"""The suite of behaviours: what it runs (`behaviours_*`), and what it runs them with (`stage`, `programs`, `proxy`)."""
