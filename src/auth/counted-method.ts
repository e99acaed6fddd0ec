/** An authentication method whose outcomes are counted. */
import type { AuthenticationCounters } from './authentication-counters.js';
import type {
  AuthenticationExchange,
  AuthenticationMethod,
  ExchangeClient,
  ExchangeStep,
} from './authentication-method.js';

export class CountedMethod implements AuthenticationMethod {
  readonly name: string;
  readonly #method: AuthenticationMethod;
  readonly #counters: AuthenticationCounters;

  constructor(method: AuthenticationMethod, counters: AuthenticationCounters) {
    this.name = method.name;
    this.#method = method;
    this.#counters = counters;
    counters.add(method.name);
  }

  begin(client: ExchangeClient): AuthenticationExchange {
    const exchange = this.#method.begin(client);
    return {
      next: (data) => {
        const step = exchange.next(data);
        return step instanceof Promise ? step.then((late) => this.#count(late)) : this.#count(step);
      },
    };
  }

  #count(step: ExchangeStep): ExchangeStep {
    if (step.outcome !== 'continue') this.#counters.count(this.name, step.outcome === 'success');
    return step;
  }
}
