// A broker in a process of its own, so that its memory and its event loop can be measured. Speaks over the IPC channel.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pino } from 'pino';
import { Broker } from '../../../dist/broker/broker.js';
import { SystemClock } from '../../../dist/core/clock.js';
import { CLOSE_REASONS } from '../../../dist/core/close-reason.js';

const {
  limits,
  defence,
  listener: own,
  maxConnections,
  workQueues,
  directory,
  sqs,
} = JSON.parse(process.argv[2] ?? '{}');
const clock = new SystemClock();
let errors = 0;
const lastErrors = [];
const warnings = [];
const sink = {
  write(line) {
    const { level, audit } = JSON.parse(line);
    if (level === 40 && audit !== true && warnings.length < 100) warnings.push(line);
    if (level < 50) return;
    errors++;
    if (lastErrors.length < 5) lastErrors.push(line);
  },
};
const common = { clock, logger: pino({ level: 'warn' }, sink), limits, defence };
const queues = workQueues === undefined ? null : await openQueues();
const broker = new Broker(queues === null ? common : { ...common, ...queues });
if (queues !== null) await broker.restore();
const listener = { host: '127.0.0.1', port: 0, maxConnections: maxConnections ?? 20_000, ...own };
const tcp = await broker.listen({ ...listener, name: 'tcp', kind: 'tcp' });
const ws = await broker.listen({ ...listener, name: 'ws', kind: 'ws', path: '/mqtt' });
const sqsEndpoint = sqs === undefined ? null : await openSqsEndpoint();
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

/** Work queues on the disk. */
async function openQueues() {
  const { openStore } = await import('../../../dist/store/open-store.js');
  const { WorkQueues } = await import('../../../dist/cli/work-queues.js');
  const { DEFAULT_QUEUE_OPTIONS } = await import('../../../dist/queues/queue-options.js');
  const store = await openStore({ directory, durability: 'os', clock });
  const settings = Object.entries(workQueues.queues).map(([name, own]) => [name, { ...DEFAULT_QUEUE_OPTIONS, ...own }]);
  const work = new WorkQueues(store, clock, { queues: new Map(settings), rules: workQueues.rules });
  return { store, queues: work.queues, sink: work.sink, work: work.work, registry: work.registry };
}

/** For clients of SQS; `sqs` says what differs from the defaults. */
async function openSqsEndpoint() {
  const { OpenAuthenticator } = await import('../../../dist/bridge/sqs/authenticator.js');
  const { SignatureV4 } = await import('../../../dist/bridge/sqs/signature-v4.js');
  const { SqsEndpoint } = await import('../../../dist/bridge/sqs/sqs-endpoint.js');
  const { SqsService } = await import('../../../dist/bridge/sqs/sqs-service.js');
  const MiB = 1024 * 1024;
  const { keys, maxWaitingReceives = 20_000, ...others } = sqs;
  const service = new SqsService(queues.registry, clock, {
    region: 'us-east-1',
    account: '000000000000',
    maxWaitingReceives,
    maxQueues: 10_000,
    isAccepting: () => true,
  });
  return await SqsEndpoint.open(service, {
    host: '127.0.0.1',
    port: 0,
    maxConnections: 20_000,
    maxBodyBytes: 4 * MiB,
    maxBufferedBytes: 64 * MiB,
    maxUnsentBytes: 256 * MiB,
    requestTimeoutMs: 30_000,
    stallTimeoutMs: 50_000,
    authenticator: keys === undefined ? new OpenAuthenticator(() => true) : new SignatureV4(keys, Date.now),
    newRequestId: () => 'request',
    onFailure: (error) => lastErrors.push(`${++errors} ${error?.stack}`),
    ...others,
  });
}

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
    warnings,
    refusals: Object.fromEntries(tcp.refusals),
    lastErrors,
    sqs: Object.fromEntries(sqsEndpoint?.counters.figures() ?? []),
    queues: Object.fromEntries(
      [...(queues?.registry.queues() ?? [])].map((queue) => [
        queue.name,
        { ...queue.statistics, missing: queue.missing },
      ]),
    ),
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
process.send({ ports: { tcp: tcp.port, ws: ws.port, sqs: sqsEndpoint?.port ?? 0 } });
