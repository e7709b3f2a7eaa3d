// Which OpenID provider do tests of logins ask? A real one, with pages on which whoever says a name is that one.
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const [folder, port, callback] = process.argv.slice(2);
const { default: Provider } = await import(
  pathToFileURL(path.join(folder, 'node_modules', 'oidc-provider', 'lib', 'index.js')),
);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'penstock', client_secret: 'only the two of us know', redirect_uris: [callback] }],
  claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email'] },
  conformIdTokenClaims: false,
  cookies: { keys: ['for tests'] },
  pkce: { required: () => true, methods: ['S256'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, preferred_username: id.replace(/^sub-/, ''), email: `${id}@example.com` }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
