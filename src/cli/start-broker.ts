/** The composition root: where the parts of the broker are put together from the settings. */
import type { Logger } from 'pino';
import { AccessControl } from '../auth/access/access-control.js';
import { Broker } from '../broker/broker.js';
import { SystemClock } from '../core/clock.js';
import { openStore, reopenRepaired, type StoreOptions } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import { FileWatch } from '../transport/tls/file-watch.js';
import { AccessReload } from './access-reload.js';
import { administrationOf } from './administration.js';
import { AuthSources } from './auth-sources.js';
import { BrokerHttp } from './broker-http.js';
import { brokerLimits } from './broker-limits.js';
import type { Configuration } from './config-loader.js';
import type { Settings } from './config-schema.js';
import { defenceOptions } from './defence-options.js';
import { durabilityByTopic } from './durability-by-topic.js';
import { listenerOptions } from './listener-options.js';
import type { OpenListener, RunningBroker } from './running-broker.js';
import { type OpenSqs, openSqsEndpoint } from './sqs-settings.js';
import { storageSettings } from './storage-options.js';
import { packageVersion } from './version.js';
import { workQueueSettings } from './work-queue-settings.js';
import { WorkQueues } from './work-queues.js';

/** Nobody has been promised much yet. */
const FAILED_START_GRACE_MS = 1000;
/** Of the time for stopping, what is left for clients to be told and for what is durable to be written, when requests to webhooks have been waited for. */
const STORING_MS = 3000;

export async function startBroker(
  configuration: Omit<Configuration, 'origins'>,
  logger: Logger,
  onOpening: () => void,
): Promise<RunningBroker> {
  const { settings } = configuration;
  const clock = new SystemClock();
  const http = await BrokerHttp.open(settings, clock, logger);
  try {
    return await startBehind(http, configuration, clock, logger, onOpening);
  } catch (error) {
    await http?.close();
    throw error;
  }
}

async function startBehind(
  http: BrokerHttp | null,
  { settings, authFiles, accessRules, accessKeys, pushTargets }: Omit<Configuration, 'origins'>,
  clock: SystemClock,
  logger: Logger,
  onOpening: () => void,
): Promise<RunningBroker> {
  const storage = storageSettings(settings);
  const options: StoreOptions = {
    ...storage,
    clock,
    durabilityOf: durabilityByTopic(storage),
    onNotice: (sentence) => logger.warn(sentence),
  };
  const auth = new AuthSources(settings.auth, authFiles, clock, Date.now, logger);
  const access = new AccessControl(accessRules.rules ?? null, settings.access.subscribeCheck);
  const start = async (store: Store): Promise<{ broker: Broker; store: Store; workQueues: WorkQueues }> => {
    const pushes = { ...settings.push, targets: pushTargets, timeOfDayMs: Date.now };
    const queueSettings = { ...workQueueSettings(settings), pushes };
    const workQueues = new WorkQueues(store, clock, queueSettings, logger);
    const broker = await startWith(settings, auth, access, logger, clock, store, workQueues, onOpening);
    workQueues.giveReceipts((receipt) => broker.publish(receipt));
    return { broker, store, workQueues };
  };
  // Damage within the database may show only when it is read.
  const open = async () =>
    start(await openStore(options)).catch(async (error: unknown) => start(await reopenRepaired(options, error)));
  const { broker, store, workQueues } = await open().catch((error: unknown) => {
    auth.close();
    throw error;
  });
  auth.onWithdrawn = () => endWithdrawn(broker, logger);
  // What has changed since it was read, and until now nobody was told of.
  void auth.onWithdrawn();
  const watchFiles = (files: readonly string[], onMaybeChanged: () => void) =>
    new FileWatch(files, clock, onMaybeChanged);
  const accessReload = new AccessReload(settings.access, access, accessRules.fingerprint, watchFiles, logger);
  let sqs: OpenSqs | null = null;
  const stop = async (graceMs: number): Promise<void> => {
    const beganMs = clock.now();
    auth.close();
    accessReload.close();
    await http?.onStopping();
    const isSqsClosed = sqs?.endpoint.stop();
    // While the others are still connected: what is answered now need not be sent again.
    await workQueues.pushes.stop(Math.max(graceMs / 2, graceMs - STORING_MS));
    // Whoever waits for a message is told that there is none.
    workQueues.stop();
    await broker.stop(Math.max(0, graceMs - (clock.now() - beganMs)));
    // What could be answered has been, when everything is on disk.
    sqs?.endpoint.closeAll();
    await isSqsClosed;
    await http?.close();
  };
  try {
    sqs = await openSqsEndpoint(settings, accessKeys, { registry: workQueues.registry, store }, clock, logger);
    const counters = sqs?.endpoint.counters;
    if (counters !== undefined) workQueues.addFigures(() => counters.figures());
    const sqsTls = sqs?.tls ?? null;
    if (sqsTls !== null) workQueues.addFigures(() => sqsTls.topics());
    if (http !== null) workQueues.addFigures(() => http.figures());
    workQueues.addFigures(() => auth.figures());
    const administration = administrationOf(settings, auth, access, accessReload, broker);
    await http?.onStarted(store, workQueues, administration);
  } catch (error) {
    await stop(FAILED_START_GRACE_MS);
    throw error;
  }
  workQueues.pushes.start();
  return {
    listeners: [...mqttListeners(broker), ...(sqs === null ? [] : [sqsListener(sqs, settings)])],
    unconfiguredQueues: workQueues.unconfigured,
    damagedQueues: workQueues.registry.quarantined,
    httpUrl: http?.url ?? null,
    reload: () => {
      auth.reload();
      accessReload.reload();
      for (const { tls } of broker.listeners) tls?.reload();
    },
    stop,
  };
}

function endWithdrawn(broker: Broker, logger: Logger): Promise<void> {
  return broker.endWithdrawn().then(
    (connections) => {
      if (connections > 0) logger.info({ connections }, 'connections of users who are gone or changed have been ended');
    },
    (error: unknown) => logger.error({ err: error }, 'connections of users who are gone or changed could not be ended'),
  );
}

function mqttListeners({ listeners }: Broker): OpenListener[] {
  return listeners.map(({ options: { name, kind, host, path, tls }, port }) => ({
    name,
    kind,
    host,
    port,
    isEncrypted: tls !== undefined,
    ...(path === undefined ? {} : { path }),
  }));
}

function sqsListener({ endpoint: { port }, tls }: OpenSqs, { sqs: { host } }: Settings): OpenListener {
  return { name: 'sqs', kind: 'sqs', host, port, isEncrypted: tls !== null };
}

/** @throws what the broker throws; the store is closed then */
async function startWith(
  settings: Settings,
  auth: AuthSources,
  access: AccessControl,
  logger: Logger,
  clock: SystemClock,
  store: Store,
  { queues, sink, work }: WorkQueues,
  onOpening: () => void,
): Promise<Broker> {
  const broker = new Broker({
    clock,
    logger,
    store,
    queues,
    sink,
    work,
    limits: brokerLimits(settings),
    defence: defenceOptions(settings),
    audit: settings.log.audit,
    authenticator: auth.authenticator,
    authenticationMethods: auth.methods,
    access,
    version: packageVersion(),
  });
  try {
    await broker.restore();
    onOpening();
    for (const [name, listener] of Object.entries(settings.listeners)) {
      if (listener.enabled) await broker.listen(listenerOptions(name, listener));
    }
  } catch (error) {
    await broker.stop();
    throw error;
  }
  return broker;
}
