/** What is made of the answer to a batch, whoever gives it. */
import { describe, expect, it } from 'vitest';
import { readBatchAnswer } from '../../../../src/bridge/push/batch-answer.js';

const SENT = new Set(['a', 'b', '__proto__']);
const naming = (...ids: unknown[]): string =>
  JSON.stringify({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
const read = (body: Buffer | string) => readBatchAnswer(Buffer.from(body), SENT);

describe('an answer to a batch', () => {
  it.each(['', 'OK', '<html>', '[1]', '"x"', '{}', '{"batchItemFailures":null}', '{"batchItemFailures":[]}'])(
    'that is %j has everything done',
    (body) => {
      expect(read(body)).toEqual(new Set());
    },
  );

  it('in Latin-1 has everything done', () => {
    expect(read(Buffer.from('reçu', 'latin1'))).toEqual(new Set());
  });

  it.each([
    ['once', naming('a'), ['a']],
    ['twice', naming('a', 'a'), ['a']],
    ['behind a byte order mark', `\ufeff ${naming('b')}`, ['b']],
    ['by a name that objects have', naming('__proto__'), ['__proto__']],
  ])('names what has failed, %s', (_how, body, failed) => {
    expect(read(body)).toEqual(new Set(failed));
  });

  it.each([
    ['a message that was not sent', naming('a', 'c')],
    ['a number', naming(1)],
    ['the list itself by its prototype', '{"batchItemFailures":[{"__proto__":{"itemIdentifier":"a"}}]}'],
    ['no list', '{"batchItemFailures":{"0":{"itemIdentifier":"a"}}}'],
    ['half of it', naming('a').slice(0, -3)],
    ['what is nested too deep', `{"batchItemFailures":${'['.repeat(30_000)}`],
    ['UTF-16', Buffer.from(naming('a'), 'utf16le')],
    ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${naming('a')}`, 'utf16le')],
    ['UTF-16, the other way round', Buffer.from(naming('a'), 'utf16le').swap16()],
  ])('that names %s is not taken for everything done', (_what, body) => {
    expect(read(body)).toBeNull();
  });
});
