/** Where a job finds the broker, and what it may know of it. */
import type { Protocol } from './frames.js';
import type { Transport } from './transport.js';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** TCP, if it is not given. */
  readonly transport?: Transport;
}

export interface BrokerUnderTest {
  readonly address: Address;
  readonly protocol: Protocol;
  /** Without it (an external broker) no CPU time and no memory is measured. */
  readonly brokerPid?: number;
}
