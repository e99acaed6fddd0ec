/**
 * A process of its own: Aedes with aedes-persistence-level on 127.0.0.1. Arguments: the port, and the directory.
 * As the package ships it: what it writes is left to the operating system, nothing is synced.
 */
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { Aedes, type AedesOptions } from 'aedes';
import { Level } from 'level';

/** The package has no types of its own, and its main module is older than the asynchronous set-up that Aedes asks for. */
const require = createRequire(import.meta.url);
const LevelPersistence = require('aedes-persistence-level/asyncPersistence.js') as new (
  database: Level,
) => NonNullable<AedesOptions['persistence']>;

const [port, directory] = process.argv.slice(2);
const broker = await Aedes.createBroker({ persistence: new LevelPersistence(new Level(directory ?? '')) });
createServer({ noDelay: true }, broker.handle).listen(Number(port), '127.0.0.1');
