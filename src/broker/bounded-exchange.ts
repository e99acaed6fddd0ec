/**
 * An authentication exchange within the broker's limits: a client that goes on for too long fails. Used at CONNECT, where
 * the connect timeout ends it, and at re-authentication, where it watches the time itself.
 */
import {
  type AuthenticationExchange,
  type AuthenticationMethod,
  type ExchangeClient,
  type ExchangeStep,
  failure,
} from '../auth/authentication-method.js';
import type { BrokerContext } from './broker-context.js';

export class BoundedExchange implements AuthenticationExchange {
  readonly #context: BrokerContext;
  readonly #exchange: AuthenticationExchange;
  readonly #endsAtMs: number;
  #rounds = 0;
  #bytes = 0;

  constructor(context: BrokerContext, method: AuthenticationMethod, client: ExchangeClient) {
    this.#context = context;
    this.#exchange = method.begin(client);
    this.#endsAtMs = context.clock.now() + context.limits.connectTimeoutMs;
  }

  next(data: Buffer | undefined): ExchangeStep | Promise<ExchangeStep> {
    const { clock, limits } = this.#context;
    if (clock.now() > this.#endsAtMs) return failure('the exchange takes too long');
    this.#rounds++;
    if (this.#rounds > limits.authenticationMaximumRounds) return failure('the exchange takes too many packets');
    this.#bytes += data?.length ?? 0;
    if (this.#bytes > limits.authenticationMaximumBytes) return failure('the exchange takes too many bytes');
    return this.#exchange.next(data);
  }
}
