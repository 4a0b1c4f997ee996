// node graphql_request.mjs: what graphql-request makes of data, of partial data, of refusals; as JSON.
import { ClientError, GraphQLClient, gql } from "graphql-request";

const url = process.env.GATEWAY_URL;
const LIST = gql`query List($first: Int!) { contacts(first: $first) { nodes { id name } } }`;
const CREATE = gql`
  mutation Create($input: CreateContactInput!) {
    createContact(input: $input) { status results { provider outcome } }
  }
`;
const input = (address) => ({ input: { name: "Ines Aalto", emails: [{ address }] } });

async function refusal(sent) {
  try {
    return await sent;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { status: error.response.status, code: error.response.errors[0].extensions.code };
  }
}

const post = new GraphQLClient(url);
const get = new GraphQLClient(url, { method: "GET" });
console.log(
  JSON.stringify({
    listed: (await post.request(LIST, { first: 3 })).contacts.nodes.length,
    listedByGet: (await get.request(LIST, { first: 3 })).contacts.nodes.length,
    created: await post.request(CREATE, input("ines@request.test")),
    partial: await post.request(CREATE, input("429.gately@fault.test")),
    failed: await refusal(post.request(CREATE, { input: { name: " " } })),
    mutationByGet: (await get.request(CREATE, input("ines@get.test"))).createContact.status,
    unknownField: await refusal(post.request("{ nothing }")),
    wrongVariable: await refusal(post.request(LIST, { first: "three" })),
  }),
);
