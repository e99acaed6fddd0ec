/** Connections that end, and sessions with them, in the middle of being sent a message. */
import { describe, expect, it } from 'vitest';
import { BrokerParts } from '../../support/broker-parts.js';
import { PartsClient, payloads } from '../../support/parts-client.js';

/** A session that is kept, and ends with its present connection if `expirySeconds` is 0. */
function connected(expirySeconds: number, receiveMaximum = 10) {
  const parts = new BrokerParts({ maximumMessages: 4 });
  new PartsClient(parts, 'c').disconnect();
  const client = new PartsClient(parts, 'c', { expirySeconds, receiveMaximum });
  expect(client.session.isKept).toBe(true);
  parts.subscribe(client.session, 't', { qos: 1 });
  parts.subscribe(client.session, '$share/g/t', { qos: 1 });
  client.settle();
  return { parts, client };
}

function expectNothingLeft(parts: BrokerParts): void {
  expect(parts.accounting).toMatchObject({ missing: 0, waiting: 0 });
  expect(parts.log.messages).toBe(0);
}

describe('a connection that breaks while a message is sent to it', () => {
  it('leaves the message to the next one, once', async () => {
    // It stood in the window, and was read from its stream besides.
    const { parts, client } = connected(3600);
    client.front.sendPublication = () => client.disconnect();
    parts.publish({ topic: 't', payload: '1', qos: 1 });
    parts.publish({ topic: 't', payload: '2', qos: 1 });
    const sent = await new PartsClient(parts, 'c').drain();
    expect(payloads(sent.filter(({ how }) => how === 'resent'))).toEqual(['1']);
    expect(payloads(sent).sort()).toEqual(['1', '1', '2', '2']);
    expectNothingLeft(parts);
  });

  it('takes the message with it if the session ends', () => {
    // Nobody ever let go of it in the log.
    const { parts, client } = connected(0);
    client.front.sendPublication = () => client.disconnect();
    parts.publish({ topic: 't', payload: '1', qos: 1 });
    expect(parts.sessions.size).toBe(0);
    expect(parts.drops.of('session-ended')).toBe(1);
    expectNothingLeft(parts);
  });

  it('takes the message with it if the session ends, being behind by too much', () => {
    const { parts, client } = connected(0, 1);
    client.front.onCongested = () => client.disconnect();
    for (const payload of ['1', '2', '3', '4']) parts.publish({ topic: 't', payload, qos: 1 });
    expect(parts.sessions.size).toBe(0);
    expectNothingLeft(parts);
  });
});

it('a session that has ended takes no messages', () => {
  const { parts, client } = connected(0);
  client.disconnect();
  const publication = { message: { qos: 1 } } as Parameters<typeof client.session.deliver>[1];
  const before = parts.accounting.accepted;
  client.session.deliver({ qos: 1, retainAsPublished: false, identifiers: null, streams: null }, publication);
  expect(parts.accounting.accepted).toBe(before);
  expectNothingLeft(parts);
});
