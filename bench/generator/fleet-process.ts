/**
 * Entry point of a process of its own: a fleet whose devices log in all at once when they are told to, and leave when they are told to. It
 * stands back behind whoever measures: the kernel gives it what the measuring process on the same core leaves.
 */
import { constants, setPriority } from 'node:os';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { Client } from './client.js';
import { ConnectionRefused } from './connack.js';
import type { FleetAnswer, FleetOrder, LogIn } from './fleet.js';
import { deviceLogin } from './logins.js';

/** A device that was refused or dropped comes again after a time between these. */
const SHORTEST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 5000;
/** A device sends CONNECT as soon as it is connected, and does not wait until all the others are: they go out in turns that are not long. */
const DEVICES_PER_TURN = 50;

let clients = new Set<Client>();

function answer(message: FleetAnswer): void {
  process.send?.(message);
}

/** Resolves when all are in at the same time, or the time is over. */
function logIn({ address, protocol, connections, longestMs }: LogIn): Promise<FleetAnswer> {
  const own = new Set<Client>();
  clients = own;
  const cpuBefore = process.cpuUsage();
  const beganMs = performance.now();
  let refused = 0;
  let dropped = 0;
  let isOver = false;
  return new Promise((resolve) => {
    const finish = (): void => {
      isOver = true;
      clearTimeout(timer);
      const { user, system } = process.cpuUsage(cpuBefore);
      const seconds = (performance.now() - beganMs) / 1000;
      const fleetCpuMs = (user + system) / 1000;
      resolve({ answer: 'logged in', login: { seconds, connected: own.size, refused, dropped, fleetCpuMs } });
    };
    const timer = setTimeout(finish, longestMs);
    const onIn = (client: Client, device: number): void => {
      if (isOver) {
        client.close();
        return;
      }
      own.add(client);
      client.onLost = () => {
        own.delete(client);
        onOut(device);
      };
      if (own.size === connections) finish();
    };
    const onOut = (device: number): void => {
      if (isOver) return;
      dropped++;
      void bring(device, retryMs());
    };
    const bring = async (device: number, afterMs: number): Promise<void> => {
      if (afterMs > 0) await delay(afterMs);
      while (!isOver) {
        try {
          onIn(await Client.open(address, protocol, `bench-device-${device}`, { login: deviceLogin(device) }), device);
          return;
        } catch (error) {
          if (error instanceof ConnectionRefused) refused++;
          else dropped++;
        }
        await delay(retryMs());
      }
    };
    const bringAll = async (): Promise<void> => {
      for (let device = 0; device < connections; device++) {
        if (device % DEVICES_PER_TURN === 0) await nextTurn();
        void bring(device, 0);
      }
    };
    void bringAll();
  });
}

function retryMs(): number {
  return SHORTEST_RETRY_MS + Math.random() * (LONGEST_RETRY_MS - SHORTEST_RETRY_MS);
}

function leave(): FleetAnswer {
  for (const client of clients) client.close();
  clients = new Set();
  return { answer: 'left' };
}

setPriority(constants.priority.PRIORITY_LOW);
process.on('message', (order: FleetOrder) => {
  if (order.order === 'leave') answer(leave());
  else void logIn(order).then(answer);
});
process.once('disconnect', () => process.exit(0));
answer({ answer: 'ready' });
