/** Opens many connections, a bounded number at a time so that no listen queue overflows. */

import type { Address } from './broker-under-test.js';
import { Client, type ConnectChoice } from './client.js';
import type { Protocol } from './frames.js';

const AT_ONCE = 50;

/** @throws BenchFailure as soon as one connection fails */
export async function openClients(
  count: number,
  address: Address,
  protocol: Protocol,
  clientIdOf: (number: number) => string,
  choice?: ConnectChoice,
): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < count) {
    const wave = Math.min(AT_ONCE, count - clients.length);
    const opening = Array.from({ length: wave }, (_, index) =>
      Client.open(address, protocol, clientIdOf(clients.length + index), choice),
    );
    clients.push(...(await Promise.all(opening)));
  }
  return clients;
}
