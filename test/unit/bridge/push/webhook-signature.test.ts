/** Signatures as Standard Webhooks has them. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseWebhookSecret, WebhookSigner } from '../../../../src/bridge/push/webhook-signature.js';

/** The example that the specification's reference libraries are tested with. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const TIMESTAMP = 1_614_265_330;
const BODY = Buffer.from('{"test": 2432232314}');
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

function keyOf(text: string): Buffer {
  const secret = parseWebhookSecret(text);
  if (secret === null) throw new Error('no secret');
  return secret;
}

describe('a signature', () => {
  it('is the one of the reference libraries', () => {
    expect(new WebhookSigner([keyOf(SECRET)]).sign(ID, TIMESTAMP, BODY)).toBe(SIGNATURE);
  });

  it('covers id, time and every byte of the body', () => {
    const body = Buffer.from([0xff, 0x00, 0x0a, 0x80]);
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key).update('id-1.17.').update(body).digest('base64');
    expect(new WebhookSigner([keyOf(SECRET)]).sign('id-1', 17, body)).toBe(`v1,${expected}`);
  });

  it('is given for each secret, in their order', () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const signed = new WebhookSigner([keyOf(other), keyOf(SECRET)]).sign(ID, TIMESTAMP, BODY);
    expect(signed.split(' ')).toEqual([new WebhookSigner([keyOf(other)]).sign(ID, TIMESTAMP, BODY), SIGNATURE]);
  });

  it('is none without a secret', () => {
    expect(new WebhookSigner([]).isSigning).toBe(false);
  });
});

describe('a secret', () => {
  it.each([24, 25, 26, 32, 64])('may have %i bytes', (bytes) => {
    const secret = Buffer.alloc(bytes, 0xfb);
    expect(parseWebhookSecret(`whsec_${secret.toString('base64')}`)).toEqual(secret);
    expect(parseWebhookSecret(`whsec_${secret.toString('base64').replace(/=/g, '')}`)).toEqual(secret);
  });

  it.each([
    ['too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['without its prefix', Buffer.alloc(32).toString('base64')],
    ['of the asymmetric kind', `whsk_${Buffer.alloc(32).toString('base64')}`],
    ['base64url', `whsec_${Buffer.alloc(32, 0xfb).toString('base64url')}`],
    ['with a blank in it', `whsec_${Buffer.alloc(32).toString('base64').replace('A', ' ')}`],
    ['cut', `whsec_${'A'.repeat(41)}`],
    ['with bits to spare', `whsec_${'A'.repeat(42)}B=`],
    ['empty', 'whsec_'],
  ])('is none if it is %s', (_what, text) => {
    expect(parseWebhookSecret(text)).toBeNull();
  });
});
