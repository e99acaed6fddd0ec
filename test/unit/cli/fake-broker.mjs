// A process that runs `start` with a broker that does nothing; its first argument says how it behaves.
import { createServer } from 'node:net';
import { Broker } from '../../../dist/broker/broker.js';
import { settingsSchema } from '../../../dist/cli/config-schema.js';
import { start } from '../../../dist/cli/start.js';
import { MillraceError } from '../../../dist/core/errors.js';

const [behaviour, format, level = 'info'] = process.argv.slice(2);
const settings = settingsSchema.parse({ log: { format, level } });

class DirectoryInUse extends MillraceError {
  code = 'ERR_DIRECTORY_IN_USE';
}

async function startBroker(_settings, logger, onOpening) {
  const server = createServer();
  const listen = (port) =>
    new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  await listen(0);
  if (behaviour === 'recovers') {
    logger.info('fake broker recovers');
    await new Promise(() => {});
  }
  onOpening();
  const { port } = server.address();
  if (behaviour === 'port-in-use') {
    settings.listeners.tcp.port = port;
    await Broker.start({ listeners: [{ name: 'tcp', kind: 'tcp', host: '127.0.0.1', port }] });
  }
  if (behaviour === 'refuses') throw new DirectoryInUse('./data is in use by another process');
  if (behaviour === 'fails') throw new TypeError('not like this');
  if (behaviour === 'uncaught')
    setTimeout(() => {
      throw new RangeError('nobody caught this');
    }, 10);
  if (behaviour === 'uncaught-later')
    process.once('SIGUSR2', () => {
      throw new RangeError('nobody caught this either');
    });
  if (behaviour === 'rejected') setTimeout(() => Promise.reject('no reason'), 10);
  if (behaviour === 'signal-early') process.kill(process.pid, 'SIGTERM');
  return {
    listeners: [{ name: 'tcp', kind: 'tcp', host: '127.0.0.1', port }],
    httpUrl: null,
    unconfiguredQueues: [],
    damagedQueues: [],
    async stop(graceMs) {
      logger.info({ graceMs }, 'fake broker stops');
      if (behaviour === 'stop-fails') throw new Error('disk full');
      if (behaviour === 'hangs') await new Promise(() => {});
      server.close();
    },
  };
}

await start(settings, startBroker);
