"""Workers: scripts, versions, deployments, routes, domains, schedules and secrets."""
