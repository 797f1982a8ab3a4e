/** Loaded into a child before its own program: it stops when whoever started it is gone, killed included. */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
