import { signIn } from "../../../lib/snapchat.ts";

export const runtime = "nodejs";
export const GET = (request: Request): Promise<Response> => signIn().callback(request);
