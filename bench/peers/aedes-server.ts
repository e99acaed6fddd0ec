/** A process of its own: Aedes with in-memory persistence on 127.0.0.1. Arguments: the port, what it is to serve, and for TLS certificate and key. */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';

const HOST = '127.0.0.1';
const [port, transport, certificateFile, keyFile] = process.argv.slice(2);
const broker = await Aedes.createBroker();

if (transport === 'ws' || transport === 'wss') {
  const server = transport === 'ws' ? createHttpServer() : createHttpsServer(credentials());
  server.on('connection', (socket) => socket.setNoDelay(true));
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'mqtt' });
  sockets.on('connection', (socket, request) => broker.handle(createWebSocketStream(socket), request));
  server.listen(Number(port), HOST);
} else if (transport === 'tls') {
  createTlsServer({ ...credentials(), noDelay: true }, broker.handle).listen(Number(port), HOST);
} else {
  createTcpServer({ noDelay: true }, broker.handle).listen(Number(port), HOST);
}

function credentials(): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(certificateFile ?? ''), key: readFileSync(keyFile ?? '') };
}
