import { parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { connectFrame, type Protocol } from '../../../bench/generator/frames.js';
import { deviceLogin, LOAD_LOGIN, type Login } from '../../../bench/generator/logins.js';
import { PhasedSamples } from '../../../bench/generator/phased-samples.js';
import { passwordFileText } from '../../../bench/password-file.js';
import { parsePasswordFile } from '../../../src/auth/password-file.js';

describe('numbers by phase', () => {
  it('belong to the phase in which they were due, whenever they come', () => {
    const phased = new PhasedSamples();
    phased.add(1, 5);
    const quiet = phased.begin(10, 10);
    phased.add(2, 9.9);
    phased.add(3, 10);
    phased.end(20);
    phased.add(4, 20);
    const storm = phased.begin(30, 10);
    phased.add(5, 19.9);
    phased.add(6, 25);
    phased.add(7, 30);
    expect([...quiet.sorted()]).toEqual([3, 5]);
    expect([...storm.sorted()]).toEqual([7]);
  });
});

describe('a password file', () => {
  it.each(['sha512-pbkdf2', 'argon2id'] as const)(
    'of %s lets everybody in with a password of their own',
    async (hash) => {
      const { users, problems } = parsePasswordFile(await passwordFileText({ hash, devices: 2 }));
      expect(problems).toEqual([]);
      expect([...users.keys()]).toEqual(['load', 'device-0', 'device-1']);
      const lets = async (login: Login, password: string): Promise<boolean | undefined> =>
        users.get(login.username)?.verify(Buffer.from(password));
      expect(await lets(LOAD_LOGIN, LOAD_LOGIN.password)).toBe(true);
      expect(await lets(deviceLogin(1), deviceLogin(1).password)).toBe(true);
      expect(await lets(deviceLogin(1), deviceLogin(0).password)).toBe(false);
    },
  );

  it('is made once for a run of several rounds', () => {
    const settings = { hash: 'sha512-pbkdf2', devices: 1 } as const;
    expect(passwordFileText(settings)).toBe(passwordFileText({ ...settings }));
  });
});

describe('a CONNECT', () => {
  it.each<[Protocol, Login | undefined]>([
    [4, undefined],
    [4, deviceLogin(7)],
    [5, deviceLogin(7)],
  ])('of MQTT %d carries %o', (protocol, login) => {
    const packets: unknown[] = [];
    const reader = parser();
    reader.on('packet', (packet) => packets.push(packet));
    reader.parse(connectFrame(protocol, 'bench-device-7', false, login));
    expect(packets).toEqual([
      expect.objectContaining({
        cmd: 'connect',
        clientId: 'bench-device-7',
        clean: true,
        ...(login && { username: login.username, password: Buffer.from(login.password) }),
      }),
    ]);
  });
});
