/**
 * What must hold for all control packets, not only for those that somebody thought of: what mqtt-packet generates is
 * decoded as it was meant; damaged packets come out as a value or a ProtocolViolation; what we encode is parsed back.
 */
import fc from 'fast-check';
import { type Packet, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { decodeConnect } from '../../../src/codec/connect-decoder.js';
import { decodeControlPacket } from '../../../src/codec/control-decoder.js';
import { encodeAuth, encodeConnack, encodeDisconnect, encodeSuback } from '../../../src/codec/control-encoder.js';
import { CONNECT, type ProtocolVersion, PUBCOMP, PUBLISH } from '../../../src/codec/packet-type.js';
import { peekProtocolVersion } from '../../../src/codec/protocol-level.js';
import { ProtocolViolation } from '../../../src/core/errors.js';
import {
  auth,
  bytes,
  connect,
  connectFrame,
  disconnect,
  frameOf,
  packetId,
  publishProperties,
  seconds,
  someOf,
  subscribe,
  text,
  unsubscribe,
  validFrame,
  versions,
} from './control-arbitraries.js';
import { bodyOf, framed } from './packet-notation.js';

function decode(frame: Buffer, version: ProtocolVersion): unknown {
  return (frame[0] as number) >> 4 === CONNECT ? decodeConnect(frame) : decodeControlPacket(frame, version);
}

describe('what mqtt-packet generates', () => {
  it('CONNECT is decoded as it was meant', () => {
    fc.assert(
      fc.property(connect, (fields) => {
        const isV5 = fields.version === 5;
        const properties = isV5 ? fields.properties : {};
        const decoded = decodeConnect(connectFrame(fields));
        expect(decoded).toMatchObject({
          protocolVersion: fields.version,
          clientId: fields.clientId,
          cleanStart: fields.clean,
          keepAliveSeconds: fields.keepalive,
          username: fields.username,
          password: fields.username === undefined ? undefined : fields.password,
          sessionExpirySeconds: properties.sessionExpiryInterval,
          receiveMaximum: properties.receiveMaximum,
          maximumPacketSize: properties.maximumPacketSize,
          topicAliasMaximum: properties.topicAliasMaximum,
          requestResponseInformation: properties.requestResponseInformation ?? false,
          requestProblemInformation: properties.requestProblemInformation ?? true,
          authenticationMethod: properties.authenticationMethod,
          userProperties: properties.userProperties ?? [],
        });
        expect(decoded.will === undefined).toBe(fields.will === undefined);
        if (fields.will === undefined) return;
        const { topic: willTopic, payload, qos: willQos, retain, properties: willProperties } = fields.will;
        const delaySeconds = (isV5 && willProperties.willDelayInterval) || 0;
        expect(decoded.will).toMatchObject({ topic: willTopic, payload, qos: willQos, retain, delaySeconds });
        if (isV5) expect(decoded.will?.publishProperties).toEqual(publishProperties(willProperties));
      }),
    );
  });

  it('SUBSCRIBE is decoded as it was meant', () => {
    const allowed = subscribe.filter(({ subscriptions }) =>
      subscriptions.every((each) => !each.topic.startsWith('$share/')),
    );
    fc.assert(
      fc.property(allowed, (fields) => {
        const isV5 = fields.version === 5;
        expect(decode(frameOf('subscribe', fields, fields.version), fields.version)).toEqual({
          type: 'subscribe',
          packetId: fields.messageId,
          subscriptions: fields.subscriptions.map((each) => ({
            filter: each.topic,
            qos: each.qos,
            noLocal: isV5 && each.nl,
            retainAsPublished: isV5 && each.rap,
            retainHandling: isV5 ? each.rh : 0,
          })),
          subscriptionIdentifier: (isV5 && fields.properties.subscriptionIdentifier) || 0,
          userProperties: (isV5 && fields.properties.userProperties) || [],
        });
      }),
    );
  });

  it('UNSUBSCRIBE is decoded as it was meant', () => {
    fc.assert(
      fc.property(unsubscribe, (fields) => {
        expect(decode(frameOf('unsubscribe', fields, fields.version), fields.version)).toEqual({
          type: 'unsubscribe',
          packetId: fields.messageId,
          filters: fields.unsubscriptions,
          userProperties: (fields.version === 5 && fields.properties.userProperties) || [],
        });
      }),
    );
  });

  it('DISCONNECT and AUTH are decoded as they were meant', () => {
    fc.assert(
      fc.property(disconnect, auth, (left, challenged) => {
        expect(decode(frameOf('disconnect', left, 5), 5)).toEqual({
          type: 'disconnect',
          reasonCode: left.reasonCode,
          sessionExpirySeconds: left.properties.sessionExpiryInterval,
          reasonString: left.properties.reasonString,
          userProperties: left.properties.userProperties ?? [],
        });
        const { reasonCode, properties } = challenged;
        const expected = { type: 'auth', reasonCode, ...properties, userProperties: [] };
        expect(decode(frameOf('auth', challenged, 5), 5)).toEqual(expected);
      }),
    );
  });
});

describe('a damaged packet', () => {
  it('is a value or a ProtocolViolation, wherever it is cut off', () => {
    fc.assert(
      fc.property(validFrame, ([version, frame]) => {
        const body = bodyOf(frame);
        for (let length = 0; length < body.length; length++) {
          // Cut by the sender, with a remaining length that fits; and cut by the line.
          expectValueOrViolation(framed(frame[0] as number, body.subarray(0, length)), version);
          expectViolation(frame.subarray(0, frame.length - body.length + length), version);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is a value or a ProtocolViolation, whatever bytes are changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(validFrame, changes, ([version, frame], changed) => {
        // Once behind the fixed header, so that the length still fits; and once anywhere.
        const body = Buffer.from(bodyOf(frame));
        for (const [at, byte] of changed) if (body.length > 0) body[at % body.length] = byte;
        expectValueOrViolation(framed(frame[0] as number, body), version);
        const damaged = Buffer.from(frame);
        for (const [at, byte] of changed) damaged[at % damaged.length] = byte;
        expectValueOrViolation(damaged, version);
      }),
      { numRuns: 5000 },
    );
  });

  it('is a value or a ProtocolViolation, if there never was a packet', () => {
    const firstByte = fc.constantFrom(0x00, 0x10, 0x20, 0x82, 0x8a, 0x90, 0xa2, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0);
    fc.assert(
      fc.property(firstByte, fc.uint8Array({ maxLength: 64 }), versions, (first, body, version) => {
        expectValueOrViolation(framed(first, Buffer.from(body)), version);
      }),
      { numRuns: 10_000 },
    );
  });

  it('does not spoil the parser that all connections share', () => {
    fc.assert(
      fc.property(
        validFrame,
        validFrame,
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        ([version, frame], [laterVersion, later], at, byte) => {
          const alone = outcome(later, laterVersion);
          const damaged = Buffer.from(frame);
          damaged[at % damaged.length] = byte;
          expectValueOrViolation(damaged, version);
          expect(outcome(later, laterVersion)).toEqual(alone);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

function outcome(frame: Buffer, version: ProtocolVersion): unknown {
  try {
    return decode(frame, version);
  } catch (error) {
    return error instanceof ProtocolViolation ? error.message : error;
  }
}

function expectViolation(frame: Buffer, version: ProtocolVersion): void {
  expect(() => decode(frame, version)).toThrow(ProtocolViolation);
}

function expectValueOrViolation(frame: Buffer, version: ProtocolVersion): void {
  peekProtocolVersion(frame);
  const packetType = (frame[0] as number) >> 4;
  // PUBLISH and its acknowledgements have a decoder of their own.
  if (packetType >= PUBLISH && packetType <= PUBCOMP) return;
  try {
    const value = decode(frame, version);
    // U+FFFD comes out only if it went in.
    if (stringsOf(value).some((each) => each.includes('\ufffd'))) expect(frame.includes('\ufffd')).toBe(true);
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolViolation);
    // Our validators refuse all that mqtt-packet would refuse, and name the clause.
    expect((error as ProtocolViolation).message).not.toContain('cannot be read');
  }
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsOf);
}

describe('what we encode', () => {
  function parsedBack(frame: Buffer, protocolVersion: ProtocolVersion): Packet {
    let packet: Packet | undefined;
    const fresh = parser({ protocolVersion });
    fresh.on('packet', (each) => {
      packet = each;
    });
    fresh.on('error', (error) => {
      throw error;
    });
    expect(fresh.parse(frame)).toBe(0);
    return packet as Packet;
  }

  it('is parsed back by mqtt-packet, and is no larger than allowed', () => {
    const fields = someOf({
      assignedClientId: text,
      reasonString: text,
      serverKeepAliveSeconds: fc.integer({ min: 0, max: 0xffff }),
      receiveMaximum: fc.integer({ min: 1, max: 0xffff }),
      sessionExpirySeconds: seconds,
    });
    fc.assert(
      fc.property(
        fields,
        fc.boolean(),
        fc.integer({ min: 100, max: 200 }),
        (some, sessionPresent, maximumPacketSize) => {
          const frame = encodeConnack(
            { sessionPresent, reasonCode: 0, ...some, assignedClientId: 'id' },
            5,
            maximumPacketSize,
          );
          expect(frame.length).toBeLessThanOrEqual(maximumPacketSize);
          const { reasonString, ...kept } =
            (parsedBack(frame, 5) as Extract<Packet, { cmd: 'connack' }>).properties ?? {};
          expect(kept).toEqual(
            defined({
              assignedClientIdentifier: 'id',
              receiveMaximum: some.receiveMaximum,
              serverKeepAlive: some.serverKeepAliveSeconds,
              sessionExpiryInterval: some.sessionExpirySeconds,
            }),
          );
          expect([undefined, some.reasonString]).toContain(reasonString);
        },
      ),
    );
  });

  it('SUBACK, DISCONNECT and AUTH come back as they were meant', () => {
    const codes = fc.array(fc.constantFrom(0, 1, 2, 0x80, 0x87, 0x8f), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(packetId, codes, text, bytes, (id, reasonCodes, reasonString, authenticationData) => {
        const anySize = Number.POSITIVE_INFINITY;
        const suback = encodeSuback({ packetId: id, reasonCodes, reasonString }, 5, anySize);
        expect(parsedBack(suback, 5)).toMatchObject({
          cmd: 'suback',
          messageId: id,
          granted: reasonCodes,
          properties: { reasonString },
        });
        const left = encodeDisconnect({ reasonCode: 0x8b, reasonString }, 5, anySize);
        expect(parsedBack(left, 5)).toMatchObject({
          cmd: 'disconnect',
          reasonCode: 0x8b,
          properties: { reasonString },
        });
        const challenge = encodeAuth(
          { reasonCode: 0x18, authenticationMethod: 'm', authenticationData, reasonString },
          5,
          anySize,
        );
        expect(parsedBack(challenge, 5)).toMatchObject({
          cmd: 'auth',
          reasonCode: 0x18,
          properties: { authenticationMethod: 'm', authenticationData, reasonString },
        });
      }),
    );
  });
});

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
