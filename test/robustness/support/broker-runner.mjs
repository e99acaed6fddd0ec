// A broker in a process of its own, so that its memory and its event loop can be measured. Speaks over the IPC channel.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pino } from 'pino';
import { Broker } from '../../../dist/broker/broker.js';
import { SystemClock } from '../../../dist/core/clock.js';
import { CLOSE_REASONS } from '../../../dist/core/close-reason.js';

const { limits, maxConnections } = JSON.parse(process.argv[2] ?? '{}');
let errors = 0;
const lastErrors = [];
const sink = {
  write(line) {
    if (JSON.parse(line).level < 50) return;
    errors++;
    if (lastErrors.length < 5) lastErrors.push(line);
  },
};
const broker = new Broker({ clock: new SystemClock(), logger: pino({ level: 'error' }, sink), limits });
const listener = { host: '127.0.0.1', port: 0, maxConnections: maxConnections ?? 20_000 };
const tcp = await broker.listen({ ...listener, name: 'tcp', kind: 'tcp' });
const ws = await broker.listen({ ...listener, name: 'ws', kind: 'ws', path: '/mqtt' });
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

function report() {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const cpu = process.cpuUsage();
  return {
    rss,
    heapUsed,
    external,
    arrayBuffers,
    cpuMs: (cpu.user + cpu.system) / 1000,
    delayMaximumMs: delay.max / 1e6,
    connections: broker.connectionCount,
    sessions: broker.sessionCount,
    subscriptions: broker.subscriptionCount,
    retained: broker.retainedCount,
    closes: Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, broker.metrics.closesOf(reason)])),
    drops: Object.fromEntries(broker.drops.entries()),
    publishersHeld: broker.metrics.publishersHeld,
    socketsOpen: process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length,
    errors,
    lastErrors,
  };
}

const commands = {
  report,
  gc: () => {
    globalThis.gc?.();
    globalThis.gc?.();
    return report();
  },
  resetDelay: () => delay.reset(),
  stop: (graceMs) => broker.stop(graceMs),
};

process.on('message', async ({ id, command, argument }) => {
  const result = await commands[command](argument);
  process.send({ id, result: result ?? null });
});
process.on('disconnect', () => process.exit(0));
process.send({ ports: { tcp: tcp.port, ws: ws.port } });
