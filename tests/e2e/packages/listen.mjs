// A client of the live feed on npm's ws: listen.mjs URL ORIGIN. Prints each message as a line, pings once after the first, and
// ends with {"closed": CODE, "ponged": whether the ping came back}, or {"refused": STATUS}.
import WebSocket from 'ws';

const [url, origin] = process.argv.slice(2);
const socket = new WebSocket(url, { origin, perMessageDeflate: true });
let ponged = false;
const say = (message) => console.log(JSON.stringify(message));

socket.on('message', (data, isBinary) => {
  if (isBinary) throw new Error('a binary message');
  console.log(data.toString());
  if (JSON.parse(data).type === 'snapshot') socket.ping('?');
});
socket.on('pong', (data) => { ponged = data.toString() === '?'; });
socket.on('unexpected-response', (_request, reply) => { say({ refused: reply.statusCode }); process.exit(); });
socket.on('close', (code) => say({ closed: code, ponged }));
