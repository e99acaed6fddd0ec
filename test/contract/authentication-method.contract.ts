/** What every AuthenticationMethod does, however it authenticates. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthenticationMethod, ExchangeClient, ExchangeStep } from '../../src/auth/authentication-method.js';

export interface MethodUnderTest {
  readonly method: AuthenticationMethod;
  /** Says by turns what leads to success as `username`. */
  client(): (challenge: Buffer | undefined) => Buffer;
  readonly username: string;
}

/** Goes on until it ends, and at most ten rounds. */
async function converse(
  method: AuthenticationMethod,
  says: (challenge: Buffer | undefined) => Buffer,
): Promise<ExchangeStep> {
  const exchange = method.begin(CLIENT);
  let step = await exchange.next(says(undefined));
  for (let round = 1; round < 10 && step.outcome === 'continue'; round++) step = await exchange.next(says(step.data));
  return step;
}

const CLIENT: ExchangeClient = { clientId: 'c', username: undefined, isGone: () => false };

export function describeAuthenticationMethod(name: string, make: () => MethodUnderTest): void {
  describe(`AuthenticationMethod: ${name}`, () => {
    it('has a name that fits into a packet', () => {
      expect(make().method.name).toMatch(/^[\x21-\x7e]{1,64}$/);
    });

    it('succeeds for one who knows, each time anew, also with other exchanges in between', async () => {
      const { method, client, username } = make();
      const abandoned = method.begin(CLIENT);
      await abandoned.next(client()(undefined));
      for (let i = 0; i < 2; i++) {
        expect(await converse(method, client())).toMatchObject({ outcome: 'success', identity: { username } });
      }
    });

    it('never succeeds and never throws for random bytes, in the place of any message', async () => {
      const { method, client } = make();
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 4 }),
          async (messages) => {
            const exchange = method.begin(CLIENT);
            for (const message of messages) {
              const step = await exchange.next(Buffer.from(message));
              expect(step.outcome).not.toBe('success');
              if (step.outcome === 'failure') return;
            }
          },
        ),
      );
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (message) => {
          const exchange = method.begin(CLIENT);
          const first = await exchange.next(client()(undefined));
          if (first.outcome !== 'continue') return;
          expect((await exchange.next(Buffer.from(message))).outcome).not.toBe('success');
        }),
      );
    });

    it('never succeeds and never throws for a right message with a byte changed', async () => {
      const { method, client } = make();
      await fc.assert(
        fc.asyncProperty(
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          fc.boolean(),
          async (position, change, isFirst) => {
            const says = client();
            let round = 0;
            const step = await converse(method, (challenge) => {
              const message = says(challenge);
              if (isFirst !== (round++ === 0)) return message;
              const at = position % message.length;
              message[at] = (message[at] as number) ^ change;
              return message;
            });
            expect(step.outcome).not.toBe('success');
          },
        ),
        { numRuns: 50 },
      );
    });
  });
}
