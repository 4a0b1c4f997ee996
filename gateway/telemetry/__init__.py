"""What can be seen from outside: metrics, traces and lines of the log, each only where it is switched on."""
