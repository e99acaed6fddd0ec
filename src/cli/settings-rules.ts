/** What must hold between settings that are each right on their own. */
import { formatByteSize } from './byte-size.js';
import type { Settings } from './config-schema.js';
import type { ListenerSettings } from './listener-schema.js';
import { type SettingPath, settingName } from './setting-path.js';
import { usesDirectory } from './storage-options.js';

export interface BrokenRule {
  /** The settings involved, the one that is most likely wrong first. */
  readonly paths: readonly SettingPath[];
  readonly message: string;
}

export function findBrokenRules(settings: Settings): readonly BrokenRule[] {
  return [
    ...outboundLimits(settings),
    ...distinctAddresses(settings),
    ...someListener(settings),
    ...effectiveOverrides(settings),
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

function* distinctAddresses({ listeners }: Settings): Generator<BrokenRule> {
  const open = Object.entries(listeners).filter(([, { enabled, port }]) => enabled && port !== 0);
  for (const [index, [name, listener]] of open.entries()) {
    const other = open.slice(0, index).find(([, earlier]) => addressesCollide(earlier, listener));
    if (other === undefined) continue;
    const [otherName, { host, port }] = other;
    yield {
      paths: [name, otherName].flatMap((each) => [
        ['listeners', each, 'port'],
        ['listeners', each, 'host'],
      ]),
      message: `listener "${name}" (${listener.host}:${listener.port}) and listener "${otherName}" (${host}:${port}) cannot have the same address`,
    };
  }
}

function addressesCollide(one: ListenerSettings, other: ListenerSettings): boolean {
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
