/** What is used of aedes-persistence-level, which has no types of its own. */
import { createRequire } from 'node:module';
import type { MessagePacket } from './message-packet.js';
import type { BatchOperation } from './native-level.js';

/** What the writing verbs need of a database. */
export interface PersistenceDatabase {
  put(key: string, value: Buffer): Promise<void>;
  del(key: string): Promise<void>;
  batch(operations: readonly (BatchOperation & { readonly key: string })[]): Promise<void>;
}

interface Client {
  readonly id: string;
}

/** The class of `aedes-persistence-level/asyncPersistence.js`. */
export interface AedesPersistence {
  removeSubscriptions(client: Client, filters: readonly string[]): Promise<void>;
  storeRetained(packet: MessagePacket): Promise<void>;
  /** Sets `brokerId` and `clientId` in the packet. */
  putWill(client: Client, packet: MessagePacket & { readonly delaySeconds: number }): Promise<void>;
}

const require = createRequire(import.meta.url);

export const AedesPersistence = require('aedes-persistence-level/asyncPersistence.js') as new (
  database: PersistenceDatabase,
) => AedesPersistence;
