/** What must hold between settings that are each right on their own. */
import { isLoopbackHost } from '../transport/loopback.js';
import { soundAuthentication } from './auth-rules.js';
import type { BrokenRule } from './broken-rule.js';
import { formatByteSize } from './byte-size.js';
import type { Settings } from './config-schema.js';
import { soundDefence, soundListeners } from './listener-rules.js';
import type { ListenerSettings } from './listener-schema.js';
import { soundPushes } from './push-rules.js';
import { type SettingPath, settingName } from './setting-path.js';
import { usesDirectory } from './storage-options.js';
import { closestName, didYouMean } from './suggestion.js';
import { soundTls } from './tls-settings.js';

export function findBrokenRules(settings: Settings): readonly BrokenRule[] {
  return [
    ...outboundLimits(settings),
    ...shortRests(settings),
    ...distinctAddresses(settings),
    ...someListener(settings),
    ...effectiveOverrides(settings),
    ...soundQueues(settings),
    ...knownDeadLetters(settings),
    ...knownQueues(settings),
    ...guardedEndpoint(settings),
    ...soundPushes(settings),
    ...soundTls(settings),
    ...soundAuthentication(settings),
    ...certificatesOfTlsListeners(settings),
    ...soundListeners(settings),
    ...soundDefence(settings),
  ];
}

function* outboundLimits({ limits, mqtt }: Settings): Generator<BrokenRule> {
  const { outboundSoftLimit: soft, outboundHardLimit: hard } = limits;
  const hardPath = ['limits', 'outboundHardLimit'];
  if (hard < soft) {
    yield {
      paths: [hardPath, ['limits', 'outboundSoftLimit']],
      message: `limits.outboundHardLimit (${formatByteSize(hard)}) must be at least limits.outboundSoftLimit (${formatByteSize(soft)})`,
    };
  }
  // Room for one packet that is being written and the next one, or the largest packet closes a healthy connection.
  if (hard < 2 * mqtt.maxPacketSize) {
    yield {
      paths: [hardPath, ['mqtt', 'maxPacketSize']],
      message: `limits.outboundHardLimit (${formatByteSize(hard)}) must be at least twice mqtt.maxPacketSize (${formatByteSize(mqtt.maxPacketSize)})`,
    };
  }
}

/** A second is never cut into pieces that anybody would notice. */
const FEWEST_WAKE_UPS = 500;

function* shortRests({ limits: { wakeUps } }: Settings): Generator<BrokenRule> {
  if (wakeUps === 0 || wakeUps >= FEWEST_WAKE_UPS) return;
  yield {
    paths: [['limits', 'wakeUps']],
    message: `limits.wakeUps (${wakeUps}) must be at least ${FEWEST_WAKE_UPS}, or 0 for any number`,
  };
}

function* distinctAddresses(settings: Settings): Generator<BrokenRule> {
  const doors = openDoors(settings);
  for (const [index, door] of doors.entries()) {
    const other = doors.slice(0, index).find((earlier) => addressesCollide(earlier, door));
    if (other === undefined) continue;
    yield {
      paths: [door, other].flatMap(({ path }) => [
        [...path, 'port'],
        [...path, 'host'],
      ]),
      message: `${door.subject} (${door.host}:${door.port}) and ${other.subject} (${other.host}:${other.port}) cannot have the same address`,
    };
  }
}

interface Door extends Address {
  readonly subject: string;
  readonly path: SettingPath;
}

/** Everything that will listen on a port which is known. */
function openDoors({ listeners, http, sqs }: Settings): Door[] {
  const doors = Object.entries(listeners).map(([name, { enabled, host, port }]) => ({
    subject: `listener "${name}"`,
    path: ['listeners', name],
    host,
    port,
    enabled,
  }));
  doors.push({ subject: 'http', path: ['http'], ...http }, { subject: 'sqs', path: ['sqs'], ...sqs });
  return doors.filter(({ enabled, port }) => enabled && port !== 0);
}

type Address = Pick<ListenerSettings, 'host' | 'port'>;

function addressesCollide(one: Address, other: Address): boolean {
  const wildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';
  const sameHost = one.host.toLowerCase() === other.host.toLowerCase() || wildcard(one.host) || wildcard(other.host);
  return sameHost && one.port === other.port;
}

function* someListener({ listeners }: Settings): Generator<BrokenRule> {
  const entries = Object.entries(listeners);
  if (entries.some(([, { enabled }]) => enabled)) return;
  yield {
    paths: entries.map(([name]) => ['listeners', name, 'enabled']),
    message: 'every listener is switched off, so no client could connect',
  };
}

/** Whoever names a listener so counts on TLS. */
function* certificatesOfTlsListeners({ listeners }: Settings): Generator<BrokenRule> {
  for (const name of ['mqtts', 'wss']) {
    const listener = listeners[name];
    if (listener === undefined || !listener.enabled || listener.tls.certificate !== undefined) continue;
    yield {
      paths: [['listeners', name]],
      message: `listeners.${name} needs tls.certificate and tls.key: it is for TLS, and would be open to read without`,
    };
  }
}

/** An override without effect is a promise that nobody keeps. */
function* effectiveOverrides({ storage }: Settings): Generator<BrokenRule> {
  for (const [index, { filter, durability }] of storage.overrides.entries()) {
    const path = ['storage', 'overrides', index];
    const first = storage.overrides.findIndex((each) => each.filter === filter);
    if (first < index) {
      yield {
        paths: [[...path, 'filter']],
        message: `${settingName(path)} has no effect: the same filter, ${filter}, stands in ${settingName(['storage', 'overrides', first])}`,
      };
    }
    if (!usesDirectory(storage) && durability !== 'memory') {
      yield {
        paths: [
          [...path, 'durability'],
          ['storage', 'durability'],
        ],
        message: `${settingName(path)} (${filter}) cannot be ${durability}: storage.durability is memory, so no directory is opened`,
      };
    }
  }
}

function* soundQueues({ queues }: Settings): Generator<BrokenRule> {
  for (const [name, { overflow, deadLetter, deadLetterExpired, retry }] of Object.entries(queues)) {
    const path = ['queues', name];
    if (deadLetter.queue === undefined && overflow === 'dead-letter-oldest') {
      yield {
        paths: [[...path, 'overflow']],
        message: `${settingName(path)}.overflow cannot be dead-letter-oldest without deadLetter.queue`,
      };
    }
    if (deadLetter.queue === undefined && deadLetterExpired) {
      yield {
        paths: [[...path, 'deadLetterExpired']],
        message: `${settingName(path)}.deadLetterExpired cannot be true without deadLetter.queue`,
      };
    }
    if (retry.cap < retry.base) {
      yield {
        paths: [
          [...path, 'retry', 'cap'],
          [...path, 'retry', 'base'],
        ],
        message: `${settingName(path)}.retry.cap must be at least retry.base`,
      };
    }
  }
}

/** A message that cannot be worked on must come to rest somewhere. */
function* knownDeadLetters({ queues }: Settings): Generator<BrokenRule> {
  const targetOf = (name: string): string | undefined => queues[name]?.deadLetter.queue;
  for (const name of Object.keys(queues)) {
    const paths = [['queues', name, 'deadLetter', 'queue']];
    const target = targetOf(name);
    if (target === undefined) continue;
    if (!Object.hasOwn(queues, target)) {
      const guess = didYouMean(closestName(target, Object.keys(queues)));
      yield { paths, message: `${settingName(paths[0] ?? [])}: there is no queue "${target}" in queues${guess}` };
      continue;
    }
    const way = [name];
    for (let next: string | undefined = target; next !== undefined && !way.includes(next); next = targetOf(next)) {
      way.push(next);
    }
    if (targetOf(way.at(-1) ?? '') === name) {
      yield { paths, message: `dead letters go round in a circle: ${[...way, name].join(' -> ')}` };
    }
  }
}

function* knownQueues({ queues, bridge }: Settings): Generator<BrokenRule> {
  const names = Object.keys(queues);
  const rules = bridge.rules ?? [];
  for (const [index, rule] of rules.entries()) {
    const path = ['bridge', 'rules', index];
    for (const queue of rule.queues) {
      if (names.includes(queue)) continue;
      const guess = didYouMean(closestName(queue, names));
      yield {
        paths: [[...path, 'queues']],
        message: `${settingName([...path, 'queues'])}: there is no queue "${queue}" in queues${guess}`,
      };
    }
    const first = rules.findIndex(({ name }) => name === rule.name);
    if (first < index) {
      yield {
        paths: [[...path, 'name']],
        message: `${settingName(path)} cannot have the same name as ${settingName(['bridge', 'rules', first])}: ${rule.name}`,
      };
    }
  }
}

function* guardedEndpoint({ sqs }: Settings): Generator<BrokenRule> {
  const { auth, host, accessKeys } = sqs;
  if (auth === 'none' && !isLoopbackHost(host)) {
    yield {
      paths: [
        ['sqs', 'auth'],
        ['sqs', 'host'],
      ],
      message: `sqs.auth cannot be none on ${host}: whoever reaches it could do anything with every queue`,
    };
  }
  for (const [index, { id }] of accessKeys.entries()) {
    const first = accessKeys.findIndex((key) => key.id === id);
    if (first < index) {
      const path = ['sqs', 'accessKeys', index];
      yield {
        paths: [[...path, 'id']],
        message: `${settingName(path)} cannot have the same id as ${settingName(['sqs', 'accessKeys', first])}: ${id}`,
      };
    }
  }
}
