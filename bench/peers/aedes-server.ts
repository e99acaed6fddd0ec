/** A process of its own: Aedes with in-memory persistence on 127.0.0.1. Argument: the port. */
import { createServer } from 'node:net';
import { Aedes } from 'aedes';

const port = Number(process.argv[2]);
const broker = await Aedes.createBroker();
createServer({ noDelay: true }, broker.handle).listen(port, '127.0.0.1');
