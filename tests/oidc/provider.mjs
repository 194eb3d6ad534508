// An OpenID provider for tests: any password is right. Arguments: port, the product's callback address, and a file
// that says at each sign-in what people are: {"nora": ["derm-doctors"]}.
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const [port, callback, groupsFile] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "skinclinic",
      client_secret: "a secret of tests",
      redirect_uris: [callback],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_basic",
    },
  ],
  claims: { openid: ["sub"], profile: ["name"], email: ["email"], groups: ["groups"] },
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `${id} of the hospital`,
      email: `${id}@hospital.example`,
      groups: JSON.parse(readFileSync(groupsFile, "utf-8"))[id] ?? [],
    }),
  }),
});

provider.listen(port, "127.0.0.1", () => console.log("listening"));
