/**
 * The `listeners` section: a map by name. `tcp` and `ws` are always there and come with defaults, so that a file which
 * only says `listeners.tcp.host` changes nothing else; `mqtts` and `wss` know their kinds and ports, and need a certificate; any
 * other name adds a listener and must say its kind and port.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import {
  type ForwardedForSettings,
  type ProxyProtocolSettings,
  proxyProtocolSchema,
  webSocketProxySchema,
} from './proxy-schema.js';
import { expected, setting } from './setting.js';
import { mqttTlsSchema, type TlsSettings } from './tls-schema.js';

const KINDS = ['tcp', 'ws'] as const;

/** What a listener without a `path` of its own uses; the path that MQTT clients for browsers expect. */
const DEFAULT_PATH = '/mqtt';

/** Names appear in logs, metrics and environment variables. */
const LISTENER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,31}$/;

const kind = z.enum(KINDS, expected('one of tcp, ws')).meta({
  description:
    'What is spoken: `tcp` is MQTT over TCP, `ws` is MQTT over WebSocket; both over TLS where `tls` has a certificate.',
  'x-unit': '',
});

const wantedPort = expected('a whole number from 0 to 65535');
export const port = z.int(wantedPort).min(0, wantedPort).max(65535, wantedPort).meta({
  description: 'TCP port. 0 takes a free one, and the start message names it.',
  'x-unit': '',
});

export const host = z
  .string(expected('a host name or an IP address'))
  .refine(isHost, expected('a host name or an IP address without a port'))
  .default('127.0.0.1')
  .meta({
    description:
      'Address to listen on: a host name or an IP address; `0.0.0.0` is every IPv4 address of the machine, `::` every address. Default: only programs on the same machine can connect until you decide otherwise.',
    'x-unit': '',
  });

const path = z
  .string(expected('a path such as /mqtt'))
  .regex(/^\/[^\s?#]*$/, expected('a path that begins with / and has no blank, ? or #'))
  .optional()
  .meta({
    description: `Path of the WebSocket endpoint; only for kind \`ws\`, where it is \`${DEFAULT_PATH}\` unless set. Default: the path that MQTT clients for browsers expect.`,
    'x-unit': '',
  });

const maxConnections = setting.count({
  description: 'Connections open at one time on this listener; one more is closed at once.',
  reason: 'far above what one process usually holds, so that only a flood reaches it',
  default: 100_000,
  min: 1,
  max: 10_000_000,
  unit: 'connections',
});

const admission = {
  maxConnections,
  maxConnectionsPerAddress: setting.count({
    description:
      'Connections open at one time of one address, or of one /64 of IPv6; one more is closed at once. 0 for no limit.',
    reason: 'a whole site of devices often shares one address',
    default: 0,
    min: 0,
    max: 10_000_000,
    unit: 'connections',
  }),
  connectRate: setting.count({
    description: 'Connections taken in a second, in the long run; further ones are closed at once. 0 for no limit.',
    reason: 'a fleet that comes back after an outage is to be let in as fast as the machine can',
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'connections a second',
  }),
  connectBurst: setting.count({
    description: 'How many of them may come at once. 0 for those of one second.',
    reason: 'smooths what one second brings, and no more',
    default: 0,
    min: 0,
    max: 10_000_000,
    unit: 'connections',
  }),
  connectRatePerAddress: setting.count({
    description: 'The same as `connectRate`, for each address or /64 of IPv6. 0 for no limit.',
    reason: 'a whole site of devices often shares one address',
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'connections a second',
  }),
  connectBurstPerAddress: setting.count({
    description: 'The same as `connectBurst`, for each address or /64 of IPv6.',
    reason: 'smooths what one second brings, and no more',
    default: 0,
    min: 0,
    max: 10_000_000,
    unit: 'connections',
  }),
  proxyProtocol: proxyProtocolSchema,
  ...webSocketProxySchema,
};

const enabled = z.boolean(expected('true or false')).default(true).meta({
  description: 'Whether the listener is opened. Default: a listener that is configured is meant to be used.',
  'x-unit': '',
});

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9._-]{0,252})$/.test(text);
}

/** One listener as the broker needs it. `path` is there exactly if the kind is `ws`. */
export interface ListenerSettings {
  readonly kind: (typeof KINDS)[number];
  readonly host: string;
  readonly port: number;
  readonly path?: string;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly connectRate: number;
  readonly connectBurst: number;
  readonly connectRatePerAddress: number;
  readonly connectBurstPerAddress: number;
  readonly proxyProtocol: ProxyProtocolSettings;
  readonly forwardedFor: ForwardedForSettings;
  readonly origins: readonly string[];
  readonly enabled: boolean;
  readonly tls: TlsSettings;
}

/** What our own checks tell the loader about an issue: it is about the key, or it depends on the setting `needs`. */
export interface IssueParameters {
  readonly aboutKey?: true;
  readonly needs?: string;
}

interface RawListener extends Omit<ListenerSettings, 'path'> {
  readonly path?: string | undefined;
}

function withPath(listener: RawListener, context: z.core.$RefinementCtx): ListenerSettings {
  const { path: given, ...rest } = listener;
  if (rest.kind === 'ws') return { ...rest, path: given ?? DEFAULT_PATH };
  for (const key of ['forwardedFor', 'origins'] as const) {
    const isSet = key === 'origins' ? rest.origins.length > 0 : rest.forwardedFor.trusted.length > 0;
    if (isSet) refuseForTcp(key, `only a listener of kind ws has ${key}`, rest[key], context);
  }
  if (given !== undefined) refuseForTcp('path', 'only a listener of kind ws has a path', given, context);
  return rest;
}

function refuseForTcp(key: string, message: string, input: unknown, context: z.core.$RefinementCtx): void {
  const params = { needs: 'kind' } satisfies IssueParameters;
  context.addIssue({ code: 'custom', path: [key], message, input, params });
}

const notAMap = expected('a map of settings');

/** A listener by a name that says what it is for. */
function listener(usualKind: (typeof KINDS)[number], usualPort: number) {
  const known = { kind: kind.default(usualKind), host, port: port.default(usualPort) };
  return z.strictObject({ ...known, path, ...admission, enabled, tls: mqttTlsSchema }, notAMap).transform(withPath);
}

const other = z
  .strictObject({ kind, host, port, path, ...admission, enabled, tls: mqttTlsSchema }, notAMap)
  .transform(withPath);

function checkNames(listeners: object, context: z.core.$RefinementCtx): void {
  for (const name of Object.keys(listeners)) {
    if (LISTENER_NAME.test(name)) continue;
    const message = 'the name of a listener is up to 32 letters, digits and -, and begins with a letter';
    context.addIssue({
      code: 'custom',
      path: [name],
      message,
      input: name,
      params: { aboutKey: true } satisfies IssueParameters,
    });
  }
}

export const listenersSchema = z
  .object(
    {
      tcp: listener('tcp', 1883).prefault({}),
      ws: listener('ws', 8083).prefault({}),
      mqtts: listener('tcp', 8883).exactOptional(),
      wss: listener('ws', 8084).exactOptional(),
    },
    notAMap,
  )
  .catchall(other)
  .superRefine(checkNames)
  .prefault({})
  .meta({
    description:
      'Where clients connect, by name. `tcp` and `ws` exist without being named; switch one off with `enabled: false`. `mqtts` and `wss` are there when they are named, and must have a `tls.certificate`. Any other name adds a listener, which must have a `kind` and a `port`.',
  });
