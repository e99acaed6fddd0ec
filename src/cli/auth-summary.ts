/** What operators are told of authentication, at the start and by `millrace check`. */
import { SCRAM_MECHANISMS } from '../auth/scram-mechanism.js';
import { TOKEN_METHOD } from '../auth/token-method.js';
import { isLoopbackHost } from '../transport/loopback.js';
import type { AuthFiles } from './auth-files.js';
import { takesTokens } from './auth-rules.js';
import type { AuthSettings } from './auth-schema.js';

/** Whether clients have any way to say who they are, client certificates aside. */
export function hasCredentials(auth: AuthSettings): boolean {
  return authenticationWays(auth).length > 0;
}

/** In the order in which they are tried, then the authentication methods. */
export function authenticationWays(auth: AuthSettings): string[] {
  const { passwordFile, scram, jwt, http } = auth;
  return [
    ...(takesTokens(jwt) ? [`tokens (JWT), also as method ${TOKEN_METHOD}`] : []),
    ...(passwordFile === undefined ? [] : ['password file']),
    ...(http.url === undefined ? [] : [`HTTP, ${new URL(http.url).origin}`]),
    ...(scram === undefined ? [] : SCRAM_MECHANISMS.map(({ name }) => name)),
  ];
}

/** A line for each file. */
export function authSummary(auth: AuthSettings, { passwords, scram, tokenKeys }: AuthFiles): string[] {
  const lines: string[] = [];
  if (tokenKeys !== undefined) lines.push(`tokens: ${counted(tokenKeys.length, 'key')}`);
  if (auth.jwt.jwksUrl !== undefined) lines.push(`tokens: keys from ${new URL(auth.jwt.jwksUrl).origin}`);
  if (passwords !== undefined) lines.push(`password file: ${counted(passwords.size, 'user')}`);
  if (auth.http.url !== undefined) lines.push(`authentication by HTTP: ${new URL(auth.http.url).origin}`);
  for (const [name, users] of scram ?? []) lines.push(`${name}: ${counted(users.size, 'user')}`);
  return lines;
}

export function httpAuthWarnings({ http }: AuthSettings): string[] {
  if (http.url === undefined) return [];
  const { protocol, hostname, origin } = new URL(http.url);
  if (protocol === 'https:' || isLoopbackHost(hostname.replace(/^\[|\]$/g, ''))) return [];
  return [`auth.http asks ${origin} without TLS: who can listen on the way reads the passwords of clients`];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
