/** Who logs in: what stands in the password files of brokers, and what clients say. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Of the clients that bring a load, and of whoever asks whether the broker is there. */
export const LOAD_LOGIN: Login = loginOf('load');

/** Every device is a user of its own. */
export function deviceLogin(device: number): Login {
  return loginOf(`device-${device}`);
}

function loginOf(username: string): Login {
  return { username, password: `password of ${username}` };
}
