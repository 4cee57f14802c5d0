// What a JDBC tool does: java -cp postgresql.jar test_mirror_read.java URL USER QUERY (password in
// PGPASSWORD). Prints each row as class:value, separated by tabs.

import java.sql.DriverManager;

class Read {
    public static void main(String[] words) throws Exception {
        try (var database = DriverManager.getConnection(words[0], words[1], System.getenv("PGPASSWORD"));
                var statement = database.createStatement();
                var rows = statement.executeQuery(words[2])) {
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                var line = new StringBuilder();
                for (int place = 1; place <= columns; place++) {
                    Object value = rows.getObject(place);
                    String kind = value == null ? "" : value.getClass().getSimpleName() + ":";
                    line.append(place == 1 ? "" : "\t").append(kind).append(value);
                }
                System.out.println(line);
            }
        }
    }
}
