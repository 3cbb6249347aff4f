"""The wire, sans-I/O: ext_proc messages become events, events become commands, commands become messages.

Nothing here awaits, logs, opens a socket or reads a clock.
"""
