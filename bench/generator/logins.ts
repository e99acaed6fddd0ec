/** Who logs in: what stands in the password files of brokers, and what clients say. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Of the clients that bring a load, and of whoever asks whether the broker is there. */
export const LOAD_LOGIN: Login = { username: 'load', password: 'password of the load' };

/** So that a file of ten thousand users with hashes that are dear to make is made in seconds. */
const PASSWORDS = 100;

/** Every device is a user of its own; what one is let in by is checked for that user alone, whoever has the same password. */
export function deviceLogin(device: number): Login {
  return { username: `device-${device}`, password: `password ${device % PASSWORDS}` };
}
