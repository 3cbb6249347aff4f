"""The only room with sockets, threads, clocks and files."""
