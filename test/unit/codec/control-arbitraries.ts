/**
 * Valid control packets of every kind for property tests, as fields and as the bytes that mqtt-packet makes of them.
 */
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import type { ProtocolVersion } from '../../../src/codec/packet-type.js';
import { bodyOf } from './packet-notation.js';

export const text = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((each) => !each.includes('\0') && !/\p{Surrogate}/u.test(each));
const topic = text.map((each) => each.replaceAll(/[+#]/g, '/')).filter((each) => each !== '');
export const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each));
export const packetId = fc.integer({ min: 1, max: 0xffff });
export const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
const qos = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;
export const versions = fc.constantFrom(3, 4, 5) as fc.Arbitrary<ProtocolVersion>;
// mqtt-packet loses the order of others: here each name has one value, and none looks like an index.
const userProperties = fc.uniqueArray(
  fc.tuple(
    text.map((each) => `k${each}`),
    text,
  ),
  { selector: ([name]) => name, minLength: 1, maxLength: 4 },
);

/** Values for some of the keys; mqtt-packet stumbles over keys that are there without a value. */
export function someOf<T extends Record<string, fc.Arbitrary<unknown>>>(model: T) {
  return fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<{
    [K in keyof T]?: T[K] extends fc.Arbitrary<infer V> ? V : never;
  }>;
}

const connectProperties = someOf({
  sessionExpiryInterval: seconds,
  receiveMaximum: fc.integer({ min: 1, max: 0xffff }),
  maximumPacketSize: fc.integer({ min: 1, max: 0xffff_ffff }),
  topicAliasMaximum: fc.integer({ min: 0, max: 0xffff }),
  requestResponseInformation: fc.boolean(),
  requestProblemInformation: fc.boolean(),
  authenticationMethod: text,
  userProperties,
});

const will = fc.record({
  topic,
  payload: bytes,
  qos,
  retain: fc.boolean(),
  properties: someOf({ willDelayInterval: seconds, contentType: text, responseTopic: topic, userProperties }),
});

export const connect = fc.record({
  version: versions,
  clientId: text.filter((each) => each !== ''),
  clean: fc.boolean(),
  keepalive: fc.integer({ min: 0, max: 0xffff }),
  username: fc.option(text, { nil: undefined }),
  password: fc.option(bytes, { nil: undefined }),
  will: fc.option(will, { nil: undefined }),
  properties: connectProperties,
});

type Connect = typeof connect extends fc.Arbitrary<infer T> ? T : never;

export function connectFrame(fields: Connect): Buffer {
  const { version, username, password, userProperties: _, ...rest } = { ...fields, userProperties: undefined };
  return generate({
    cmd: 'connect',
    ...rest,
    protocolVersion: version,
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    properties: generated(fields.properties),
    will: fields.will && { ...fields.will, properties: generated(fields.will.properties) },
    ...(username === undefined ? {} : { username, ...(password === undefined ? {} : { password }) }),
  } as Packet);
}

function generated(properties: { userProperties?: [string, string][] }) {
  const { userProperties: pairs, ...rest } = properties;
  return pairs === undefined ? rest : { ...rest, userProperties: Object.fromEntries(pairs) };
}

export const subscribe = fc.record({
  version: versions,
  messageId: packetId,
  subscriptions: fc.array(
    fc.record({ topic: text, qos, nl: fc.boolean(), rap: fc.boolean(), rh: fc.constantFrom(0, 1, 2) }),
    { minLength: 1, maxLength: 6 },
  ),
  properties: someOf({ subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }), userProperties }),
});

export const unsubscribe = fc.record({
  version: versions,
  messageId: packetId,
  unsubscriptions: fc.array(text, { minLength: 1, maxLength: 6 }),
  properties: someOf({ userProperties }),
});
export const disconnect = fc.record({
  reasonCode: fc.constantFrom(0, 4, 0x80, 0x93),
  properties: someOf({ sessionExpiryInterval: seconds, reasonString: text, userProperties }),
});
export const auth = fc.record({
  reasonCode: fc.constantFrom(0x18, 0x19),
  properties: fc.record({ authenticationMethod: text, authenticationData: bytes, reasonString: text }),
});

/** A valid frame of any kind with its version. */
export const validFrame: fc.Arbitrary<[ProtocolVersion, Buffer]> = fc.oneof(
  connect.map((each): [ProtocolVersion, Buffer] => [each.version, connectFrame(each)]),
  subscribe.map((each): [ProtocolVersion, Buffer] => [each.version, frameOf('subscribe', each, each.version)]),
  unsubscribe.map((each): [ProtocolVersion, Buffer] => [each.version, frameOf('unsubscribe', each, each.version)]),
  disconnect.map((each): [ProtocolVersion, Buffer] => [5, frameOf('disconnect', each, 5)]),
  auth.map((each): [ProtocolVersion, Buffer] => [5, frameOf('auth', each, 5)]),
  versions.map((each): [ProtocolVersion, Buffer] => [each, Buffer.from([0xc0, 0])]),
);

export function frameOf(cmd: Packet['cmd'], fields: { properties: object }, version: ProtocolVersion): Buffer {
  return generate({ ...fields, cmd, properties: generated(fields.properties) } as unknown as Packet, {
    protocolVersion: version,
  });
}

/** The properties of a PUBLISH, as mqtt-packet writes them. */
export function publishProperties({ willDelayInterval: _, ...properties }: { willDelayInterval?: number }): Buffer {
  const publish = generate(
    {
      cmd: 'publish',
      qos: 0,
      dup: false,
      retain: false,
      topic: 't',
      payload: '',
      properties: generated(properties),
    } as Packet,
    { protocolVersion: 5 },
  );
  const body = bodyOf(publish);
  const length = (body[3] as number) < 0x80 ? 1 : 2;
  return body.subarray(3 + length);
}
