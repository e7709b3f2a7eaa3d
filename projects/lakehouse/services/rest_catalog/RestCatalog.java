import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.CatalogUtil;
import org.apache.iceberg.rest.RESTCatalogAdapter;
import org.apache.iceberg.rest.RESTCatalogServlet;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;

/**
 * Serves a catalog by Iceberg's REST, on loopback or on CATALOG_HOST: its port, then the properties of the catalog as
 * key=value.
 */
public class RestCatalog {
  private static final Map<String, String> SECRETS =
      Map.of("jdbc.password", "CATALOG_PASSWORD", "s3.secret-access-key", "S3_SECRET_KEY");

  public static void main(String[] args) throws Exception {
    Map<String, String> properties = new HashMap<>();
    for (int at = 1; at < args.length; at++) {
      String[] pair = args[at].split("=", 2);
      properties.put(pair[0], pair[1]);
    }
    SECRETS.forEach(
        (property, variable) -> {
          if (System.getenv(variable) != null) properties.put(property, System.getenv(variable));
        });
    var catalog =
        CatalogUtil.buildIcebergCatalog(properties.remove("name"), properties, new Configuration());
    var context = new ServletContextHandler(ServletContextHandler.NO_SESSIONS);
    context.setContextPath("/");
    context.addServlet(
        new ServletHolder(new RESTCatalogServlet(new RESTCatalogAdapter(catalog))), "/*");
    var host = System.getenv().getOrDefault("CATALOG_HOST", "127.0.0.1");
    var server = new Server(new InetSocketAddress(host, Integer.parseInt(args[0])));
    server.setHandler(context);
    server.start();
    server.join();
  }
}
