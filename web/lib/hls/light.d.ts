/** The build without subtitles and keys: hls.js describes only its whole. */
declare module "hls.js/light" {
  export { default } from "hls.js";
}
