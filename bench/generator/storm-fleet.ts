/** What a storm of connects is made of: `BareClient` over plain TCP, `Client` over everything else. */
import { isIPv4 } from 'node:net';
import { BareClients } from './bare-client.js';
import type { Address } from './broker-under-test.js';
import { Client } from './client.js';
import { connectFrame, type Protocol } from './frames.js';
import type { StormJob } from './storm-job.js';
import type { TcpHandles } from './tcp-handles.js';

export interface StormConnection {
  close(): void;
}

export interface StormOwner {
  onAccepted(connection: StormConnection, milliseconds: number): void;
  /** @param connection one that had been accepted, and has been lost since */
  onFailed(connection?: StormConnection): void;
}

/** The devices of one storm. */
export interface StormFleet {
  /** The owner hears of it exactly once, and once more if the connection is lost after it was accepted. Never before this returns. */
  open(device: number): void;
  /** Those that have waited too long for their answer fail: to be called from time to time. */
  giveUpLate(): void;
}

export type MakeStormFleet = (owner: StormOwner) => StormFleet;

/** @param handles undefined where Node does not have them: then it is `Client` over TCP, too */
export function stormFleet(job: StormJob, handles: TcpHandles | undefined): MakeStormFleet {
  const { address, protocol, connections } = job;
  const { host: ipv4, port, transport = 'tcp' } = address;
  if (handles === undefined || transport !== 'tcp' || !isIPv4(ipv4)) {
    return (owner) => ({
      open: (device) => void openClient(address, protocol, clientIdOf(device), owner),
      giveUpLate: () => {},
    });
  }
  // Made before anything is measured.
  const frames = Array.from({ length: connections }, (_, device) => connectFrame(protocol, clientIdOf(device), false));
  return (owner) => {
    const clients = new BareClients(
      { handles, ipv4, port, protocol },
      {
        onAccepted: (client) => owner.onAccepted(client, performance.now() - client.openedAtMs),
        onFailed: (client) => owner.onFailed(client),
      },
    );
    return {
      open: (device) => clients.open(clientIdOf(device), frames[device] as Buffer),
      giveUpLate: () => clients.giveUpLate(),
    };
  };
}

async function openClient(address: Address, protocol: Protocol, clientId: string, owner: StormOwner): Promise<void> {
  const openedAtMs = performance.now();
  let client: Client;
  try {
    client = await Client.open(address, protocol, clientId);
  } catch {
    owner.onFailed();
    return;
  }
  client.onLost = () => owner.onFailed(client);
  owner.onAccepted(client, performance.now() - openedAtMs);
}

function clientIdOf(device: number): string {
  return `bench-device-${device}`;
}
