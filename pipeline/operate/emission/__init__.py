"""Writes a schedule for other schedulers: systemd, cron and Kubernetes."""
